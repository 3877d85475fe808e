export function RoomsRoute() { return <main>Rooms</main>; }
