export function RoomRoute() { return <main>Room</main>; }
