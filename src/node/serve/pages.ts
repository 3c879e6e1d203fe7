/** What a small HTTP server says. Pure. */

export interface Page {
  readonly status: number;
  /** Content-Type. */
  readonly type: string;
  readonly body: string;
}

/** By path. */
export type Pages = Readonly<Record<string, () => Page>>;

export const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** The answer to a request; queries are ignored. */
export function pageOf(pages: Pages, method: string, url: string): Page {
  if (method !== 'GET' && method !== 'HEAD') return textPage(405, 'only GET is understood\n');
  const path = url.split('?')[0] ?? '';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page?.() ?? textPage(404, `there is only ${Object.keys(pages).join(', ')}\n`);
}

export function textPage(status: number, body: string): Page {
  return { status, type: PLAIN_TEXT, body };
}
