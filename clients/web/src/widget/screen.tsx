import {
  createContext,
  type ReactNode,
  type RefObject,
  useContext,
  useEffect,
  useRef,
} from "react";
import { useAnnounce } from "./announcer.js";

export interface Screens {
  readonly headingLevel: number;
  /** The first screen does not take the focus from the page, the ones after it do. */
  readonly takesFocus: RefObject<boolean>;
}

export const ScreensContext = createContext<Screens>({
  headingLevel: 2,
  takesFocus: { current: false },
});

/** The heading of a screen: where the focus goes when the screen comes. */
export function ScreenHeading({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { takesFocus } = useContext(ScreensContext);
  const announce = useAnnounce();
  useEffect(() => {
    if (takesFocus.current) heading.current?.focus();
  }, [takesFocus]);
  // What was said on a screen is not true on the next: who reads on from there would find it.
  useEffect(() => () => announce(null), [announce]);
  return (
    <Heading below={0} className="slotcast-heading" focus={heading}>
      {children}
    </Heading>
  );
}

export interface HeadingProps {
  /** How many levels below the heading of the screen. */
  readonly below: number;
  readonly className: string;
  readonly id?: string;
  /** Given: it can be focused by script. */
  readonly focus?: RefObject<HTMLHeadingElement | null>;
  readonly children: ReactNode;
}

export function Heading({ below, focus, ...rest }: HeadingProps) {
  const { headingLevel } = useContext(ScreensContext);
  const Level = `h${Math.min(6, headingLevel + below)}` as "h2";
  return <Level {...rest} {...(focus && { ref: focus, tabIndex: -1 })} />;
}
