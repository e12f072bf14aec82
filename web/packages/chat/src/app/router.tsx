import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  type RouterHistory,
} from "@tanstack/react-router";
import { ConversationPage } from "../chat/conversation-page.tsx";
import { Gate } from "./gate.tsx";
import { ListAndPane, NothingOpen, Shell } from "./layout.tsx";
import { NotFound } from "./not-found.tsx";

/** Not needed to read what is new: loaded when it is opened, and kept by the service worker from the first visit. */
const ConversationInfoPage = lazyRouteComponent(
  () => import("../chat/conversation-info-page.tsx"),
  "ConversationInfoPage",
) as typeof import("../chat/conversation-info-page.tsx").ConversationInfoPage;
const NewConversationPage = lazyRouteComponent(
  () => import("../chat/new-conversation-page.tsx"),
  "NewConversationPage",
);
const FindPage = lazyRouteComponent(() => import("../find/find-page.tsx"), "FindPage");
const OfficialPage = lazyRouteComponent(
  () => import("../find/official-page.tsx"),
  "OfficialPage",
) as typeof import("../find/official-page.tsx").OfficialPage;

const root = createRootRoute({ component: Gate, notFoundComponent: NotFound });

/** Everything behind enrolment, PIN and login. */
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell });

/** The conversation list, with something beside it on wide screens. */
const conversations = createRoute({ getParentRoute: () => shell, id: "conversations", component: ListAndPane });

const home = createRoute({ getParentRoute: () => conversations, path: "/", component: NothingOpen });
const conversation = createRoute({
  getParentRoute: () => conversations,
  path: "/c/$group",
  component: function Conversation() {
    const { group } = conversation.useParams();
    return <ConversationPage key={group} group={group} />;
  },
});
const conversationInfo = createRoute({
  getParentRoute: () => conversations,
  path: "/c/$group/info",
  component: function ConversationInfo() {
    const { group } = conversationInfo.useParams();
    return <ConversationInfoPage key={group} group={group} />;
  },
});
const newConversation = createRoute({
  getParentRoute: () => conversations,
  path: "/new",
  component: NewConversationPage,
});
const find = createRoute({ getParentRoute: () => shell, path: "/find", component: FindPage });
const official = createRoute({
  getParentRoute: () => shell,
  path: "/official/$id",
  component: function OfficialRoute() {
    const { id } = official.useParams();
    return <OfficialPage key={id} official={id} />;
  },
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyRouteComponent(() => import("../screens/settings/settings.tsx"), "Settings"),
});
const settingsSection = createRoute({
  getParentRoute: () => shell,
  path: "/settings/$section",
  component: lazyRouteComponent(() => import("../screens/settings/settings.tsx"), "Settings"),
});
const devices = createRoute({
  getParentRoute: () => shell,
  path: "/devices",
  component: lazyRouteComponent(() => import("../screens/devices.tsx"), "Devices"),
});
/** The gate shows these by phase; the addresses exist so that a bookmark is no dead end. */
const enrol = createRoute({ getParentRoute: () => root, path: "/enrol", component: Outlet });
const login = createRoute({ getParentRoute: () => root, path: "/login", component: Outlet });
const unlock = createRoute({ getParentRoute: () => root, path: "/unlock", component: Outlet });

const tree = root.addChildren([
  enrol,
  login,
  unlock,
  shell.addChildren([
    conversations.addChildren([home, conversation, conversationInfo, newConversation]),
    find,
    official,
    settings,
    settingsSection,
    devices,
  ]),
]);

export function makeRouter(history?: RouterHistory) {
  return createRouter({
    routeTree: tree,
    defaultPreload: "intent",
    scrollRestoration: false,
    ...(history && { history }),
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
