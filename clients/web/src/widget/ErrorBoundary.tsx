import { Component, type ReactNode } from "react";
import type { Text } from "../words/words.js";

export interface ErrorBoundaryProps {
  readonly text: Text;
  readonly children: ReactNode;
}

/** A fault of ours ends the widget's view, not the page; the visitor can begin anew. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override componentDidCatch(error: unknown) {
    console.error("slotcast: the widget failed.", error);
  }

  override render() {
    const { text, children } = this.props;
    if (!this.state.isBroken) return children;
    return (
      <div className="slotcast-failure" role="alert">
        <p>{text("somethingWrong")}</p>
        <button
          type="button"
          className="slotcast-button slotcast-secondary"
          onClick={() => this.setState({ isBroken: false })}
        >
          {text("tryAgain")}
        </button>
      </div>
    );
  }
}
