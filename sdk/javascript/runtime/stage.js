/**
 * Whether this is the build or a request. At the build there is no host: its calls are answered by
 * what a prime was given, the environment is the one of the build, and nothing is random.
 *
 * Invariant: `serve.js` alone says that a request has begun, before anything else of it.
 */
export const stage = { isBuild: true, environment: {}, answers: undefined };
