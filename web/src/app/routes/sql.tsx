export function SqlRoute() { return <main />; }
