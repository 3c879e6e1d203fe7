/** Text as one segment of a URL's path. Pure. */

/**
 * The same characters as Go's url.PathEscape leaves and escapes: beside letters, digits and `-_.~`, it leaves
 * `$&+:=@`. JavaScript leaves others.
 */
export function escapePathSegment(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:24|26|2B|3A|3D|40)/g, decodeURIComponent);
}
