export function QueueRoute() { return <main />; }
