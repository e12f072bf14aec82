import { useLingui } from "@lingui/react/macro";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { CutOff, Splash, Suspended, Unsupported } from "../screens/phases.tsx";
import { Unlock } from "../screens/unlock.tsx";
import { useAnnounce } from "./announcer.tsx";
import { useTopic } from "./engine.tsx";
import { leaving } from "./leaving.ts";

const Enrol = lazy(() => import("../screens/enrol/enrol.tsx").then((m) => ({ default: m.Enrol })));
const Login = lazy(() => import("../screens/login.tsx").then((m) => ({ default: m.Login })));
const Waiting = lazy(() => import("../screens/waiting.tsx").then((m) => ({ default: m.Waiting })));

/** Exactly one group of screens belongs to each phase of the profile. */
export function Gate() {
  const app = useTopic("app", {});
  const phase = app?.phase ?? "starting";
  /** Inside without a session: because that was chosen, or because it ended while the app was in use. */
  const [reading, setReading] = useState(false);
  /** Whoever was suspended asks to log in again. */
  const [again, setAgain] = useState(false);
  /** Chosen at enrolment a moment ago; used once, to log in. */
  const [password, setPassword] = useState<string | null>(null);
  const { pathname } = useLocation();
  const navigate = useNavigate();
  usePhaseAnnouncements(phase);

  const inside = phase === "ready" || (phase === "logged_out" && reading && pathname !== "/login");
  useEffect(() => {
    // A session that ends by itself throws nobody out of what they are reading; a banner leads to the login.
    if (phase === "ready") setReading(true);
    if (phase === "logged_out" && leaving.asked) {
      leaving.asked = false;
      setReading(false);
    }
    if (["empty", "locked", "suspended", "cut_off"].includes(phase)) setReading(false);
    if (phase !== "suspended") setAgain(false);
    // These addresses are for the gate; whoever is inside has no use for them.
    if (inside && ["/enrol", "/login", "/unlock"].includes(pathname)) void navigate({ to: "/", replace: true });
  }, [phase, inside, pathname, navigate]);

  if (!app || phase === "starting") return <Splash />;
  if (inside) return <Outlet />;
  return (
    <Suspense fallback={<Splash />}>
      {phase === "unsupported" && <Unsupported />}
      {phase === "empty" && <Enrol onEnrolled={setPassword} />}
      {phase === "locked" && <Unlock />}
      {phase === "waiting_approval" && <Waiting />}
      {phase === "cut_off" && <CutOff />}
      {phase === "suspended" && !again && <Suspended onLogin={() => setAgain(true)} />}
      {phase === "suspended" && again && <Login app={app} />}
      {phase === "logged_out" && (
        <Login
          app={app}
          password={password}
          onPasswordUsed={() => setPassword(null)}
          onRead={() => {
            setReading(true);
            if (pathname === "/login") void navigate({ to: "/", replace: true });
          }}
        />
      )}
    </Suspense>
  );
}

/** The screen changes without the focus moving: say so. */
function usePhaseAnnouncements(phase: string) {
  const { t } = useLingui();
  const announce = useAnnounce();
  const before = useRef(phase);
  useEffect(() => {
    if (before.current === phase) return;
    const was = before.current;
    before.current = phase;
    if (phase === "ready" && (was === "logged_out" || was === "suspended")) announce(t`You are logged in.`);
    else if (phase === "ready" && was === "waiting_approval") announce(t`This device was approved.`);
    else if (phase === "logged_out" && was === "ready") announce(t`Your session has ended. Log in again.`, true);
    else if (phase === "locked" && was !== "starting") announce(t`The app is locked.`);
    else if (phase === "suspended") announce(t`Your access is suspended for now.`, true);
    else if (phase === "cut_off") announce(t`This device has been cut off.`, true);
  }, [phase, announce, t]);
}
