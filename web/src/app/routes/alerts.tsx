export function AlertsRoute() { return <main />; }
