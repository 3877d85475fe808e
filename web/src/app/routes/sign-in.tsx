export function SignInRoute() { return <main>SignIn</main>; }
