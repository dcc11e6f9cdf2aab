/** The one file of undici that we load. */
declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici';
}
