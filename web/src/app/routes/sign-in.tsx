import { getRouteApi, useRouter } from "@tanstack/react-router";
import { SignInPage } from "../../features/session/sign-in-page.tsx";

const route = getRouteApi("/signin");

export function SignInRoute() {
  const { next } = route.useSearch();
  const router = useRouter();
  return <SignInPage onSignedIn={() => router.history.replace(next ?? "/rooms")} />;
}
