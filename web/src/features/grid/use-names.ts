export { useNames } from "../../lib/use-names.ts";
