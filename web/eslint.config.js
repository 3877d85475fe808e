// TypeScript is pinned to 6.0.x because typescript-eslint 8.73 accepts "typescript >=4.8.4 <6.1.0": TypeScript 7 has no
// JavaScript compiler API for its typed rules yet.
import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

function wall(files, forbidden) {
  const patterns = forbidden.map((regex) => ({ regex, message: "Features do not import each other or the app: compose them in app/routes." }));
  return { files, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export default tseslint.config(
  { ignores: ["dist", "client/dist", "node_modules"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    rules: {
      // Numbers in messages are meant.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // An arrow that returns what a void function returns reads well.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // process.env["X"] and JSON records are read by index on purpose.
      "@typescript-eslint/dot-notation": "off",
    },
  },
  // The library knows neither React nor the page that uses it.
  {
    files: ["client/**/*.ts"],
    ignores: ["client/react/**", "client/test/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["react", "react/*", "**/react/**", "**/src/**"] }] },
  },
  // Walls of the page: app → features → components and lib → the library; features never import each other.
  wall(["src/features/*/*.{ts,tsx}"], ["^\\.\\./(?!\\.\\./)", "/app/"]),
  wall(["src/features/*/*/*.{ts,tsx}"], ["^\\.\\./\\.\\./(?!\\.\\./)", "/app/"]),
  wall(["src/components/**", "src/lib/**"], ["/features/", "/app/"]),
  { files: ["client/react/**", "src/**"], ...reactHooks.configs.flat.recommended },
  { files: ["**/*.js"], ...tseslint.configs.disableTypeChecked },
  { files: ["public/*.js"], languageOptions: { globals: { document: "readonly", localStorage: "readonly" } } },
);
