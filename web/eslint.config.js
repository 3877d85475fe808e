// TypeScript is pinned to 6.0.x because typescript-eslint 8.73 accepts "typescript >=4.8.4 <6.1.0": TypeScript 7 has no
// JavaScript compiler API for its typed rules yet.
import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

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
  { files: ["client/react/**", "src/**"], ...reactHooks.configs.flat.recommended },
  { files: ["**/*.js"], ...tseslint.configs.disableTypeChecked },
);
