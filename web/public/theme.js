// Runs before the first paint, so that a chosen theme never flashes the other one. Keep the key in step with src/lib/theme.ts.
try {
  const theme = localStorage.getItem("nanotype/theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's choice holds.
}
