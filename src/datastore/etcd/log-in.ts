/** How a name and a password become a token, which etcd accepts for some minutes. Pure. */

import { readAuthenticateResponse, writeAuthenticateRequest } from './etcd-messages.ts';

export const AUTHENTICATE = {
  path: '/etcdserverpb.Auth/Authenticate',
  write: writeAuthenticateRequest,
  read: readAuthenticateResponse,
};
