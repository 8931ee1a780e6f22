import { join } from "node:path";

/** Where decoded images are kept between runs: $DOVETAIL_CACHE, else `dovetail` in the user's folder for caches. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { DOVETAIL_CACHE, XDG_CACHE_HOME, HOME } = environment;
  if (DOVETAIL_CACHE !== undefined) return DOVETAIL_CACHE === "" ? undefined : DOVETAIL_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "dovetail");
  return HOME ? join(HOME, ".cache", "dovetail") : undefined;
}
