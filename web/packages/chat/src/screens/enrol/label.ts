/** `Chromium on Linux`: a name to begin with. Product names are the same in every language. */
export function labelSuggestion(agent: string = navigator.userAgent): string {
  const browser =
    [
      ["Edg/", "Edge"],
      ["Firefox/", "Firefox"],
      ["SamsungBrowser/", "Samsung Internet"],
      ["OPR/", "Opera"],
      ["Chrome/", "Chrome"],
      ["Safari/", "Safari"],
    ].find(([mark]) => agent.includes(mark as string))?.[1] ?? "Browser";
  const system =
    [
      ["Android", "Android"],
      ["iPhone", "iPhone"],
      ["iPad", "iPad"],
      ["Windows", "Windows"],
      ["Mac OS", "Mac"],
      ["Linux", "Linux"],
    ].find(([mark]) => agent.includes(mark as string))?.[1] ?? "";
  return system ? `${browser}, ${system}` : browser;
}
