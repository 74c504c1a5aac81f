/** The version of this front end; that of package.json, a test says. */
export const VERSION = '0.1.0-dev.0';

/** Whether two versions are of the same release: `0.1.0.dev0` and `0.1.0` are. */
export function isSameRelease(one: string, other: string): boolean {
  return release(one) === release(other);
}

function release(version: string): string {
  return /^\d+(\.\d+)*/.exec(version)?.[0].replace(/(\.0)+$/, '') ?? version;
}
