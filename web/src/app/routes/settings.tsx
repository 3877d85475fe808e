export function SettingsRoute() { return <main>Settings</main>; }
