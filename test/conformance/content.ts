// Small content blocks that the conformance server's tools, resources and prompts return.

/** One red pixel. */
export const pngBase64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

/** A WAV header and no samples: 8 kHz, mono, 8 bits. */
export const wavBase64 = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

export interface Text {
  [key: string]: unknown;
  type: 'text';
  text: string;
}

export function text(value: string): Text {
  return { type: 'text', text: value };
}

/** The contents of a resource that holds JSON. */
export function json(uri: string, value: unknown): { uri: string; mimeType: string; text: string } {
  return { uri, mimeType: 'application/json', text: JSON.stringify(value) };
}
