import { Outlet } from "@tanstack/react-router";
import { ConversationList } from "../chat/conversation-list.tsx";

export function Shell() {
  return <Outlet />;
}
export function ListAndPane() {
  return (
    <>
      <ConversationList />
      <Outlet />
    </>
  );
}
export function NothingOpen() {
  return null;
}
