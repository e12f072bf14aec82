/** Sizes of thumbnails and of pictures in a bubble. */
export interface Box {
  width: number;
  height: number;
}

/** Shrinks (never enlarges) to fit, at least one pixel on a side. */
export function fitInside(size: Box, limit: Box): Box {
  const scale = Math.min(1, limit.width / size.width, limit.height / size.height);
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
}

/** The steps tried until a thumbnail fits: first less quality, then fewer pixels. */
export const ATTEMPTS: readonly { edge: number; quality: number }[] = [
  { edge: 480, quality: 0.8 },
  { edge: 480, quality: 0.65 },
  { edge: 400, quality: 0.6 },
  { edge: 320, quality: 0.55 },
  { edge: 240, quality: 0.5 },
  { edge: 160, quality: 0.45 },
  { edge: 96, quality: 0.4 },
];

/** Largest thumbnail that the file protocol takes. */
export const THUMBNAIL_BYTES = 48 * 1024;

/** The space a picture takes in a bubble before it has loaded, so that nothing jumps. */
export function bubbleBox(width: number | null, height: number | null): Box {
  if (!width || !height || width < 1 || height < 1) return { width: 240, height: 160 };
  const box = fitInside({ width, height }, { width: 300, height: 320 });
  return { width: Math.max(box.width, 120), height: Math.max(box.height, 80) };
}

/** Zoom and pan of the viewer: `x`, `y` are the picture's shift from the middle in screen pixels. */
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}
export const UNZOOMED: Zoom = { scale: 1, x: 0, y: 0 };
export const LARGEST_SCALE = 8;

/** Zooms by `factor` so that the point under the pointer (measured from the middle) stays where it is. */
export function zoomAt(zoom: Zoom, factor: number, point: { x: number; y: number }): Zoom {
  const scale = Math.min(LARGEST_SCALE, Math.max(1, zoom.scale * factor));
  const ratio = scale / zoom.scale;
  if (scale === 1) return UNZOOMED;
  return { scale, x: point.x - (point.x - zoom.x) * ratio, y: point.y - (point.y - zoom.y) * ratio };
}

/** Keeps the picture's edge from leaving the middle of the screen. */
export function clampPan(zoom: Zoom, picture: Box): Zoom {
  const reach = (side: number) => (side * zoom.scale) / 2;
  const clamp = (value: number, limit: number) => Math.min(limit, Math.max(-limit, value));
  return { scale: zoom.scale, x: clamp(zoom.x, reach(picture.width)), y: clamp(zoom.y, reach(picture.height)) };
}
