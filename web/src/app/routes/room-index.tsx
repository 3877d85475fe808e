export function RoomIndexRoute() { return <main>RoomIndex</main>; }
