/** What the small picker offers: common in offices, readable without a search. The first six stand in the menu of a message. */
export const EMOJI = [
  "👍",
  "❤️",
  "😂",
  "😮",
  "😢",
  "🙏",
  "👏",
  "✅",
  "❌",
  "🤝",
  "💯",
  "👀",
  "🙂",
  "😊",
  "🤔",
  "😟",
  "😡",
  "🎉",
  "🌹",
  "🤲",
  "☝️",
  "👌",
  "💪",
  "🫡",
  "📌",
  "📎",
  "📅",
  "⏰",
  "📞",
  "✍️",
  "🇵🇰",
  "⭐",
] as const;
export const QUICK = EMOJI.slice(0, 6);

/** The longest reaction that the protocol takes, in bytes. */
const LONGEST = 64;

/** The first emoji of what was typed; null when it is no emoji. */
export function firstEmoji(text: string): string | null {
  for (const { segment } of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text.trim())) {
    if (!/\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20E3/u.test(segment)) return null;
    return new TextEncoder().encode(segment).length <= LONGEST ? segment : null;
  }
  return null;
}
