export function TableRoute() { return <main>Table</main>; }
