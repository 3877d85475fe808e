import { Component, type ErrorInfo, type ReactNode } from "react";
import { ErrorState } from "../components/ui/states.tsx";

/** The last resort: the page itself failed, outside every screen. */
export class AppErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error: error ?? new Error("Something failed without saying what.") };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <main className="flex h-full items-center justify-center">
        <ErrorState error={this.state.error} title="The page failed" onRetry={() => window.location.reload()} />
      </main>
    );
  }
}
