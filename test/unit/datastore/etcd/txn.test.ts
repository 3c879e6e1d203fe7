import { describe, expect, it } from 'vitest';
import { checkResponse, commitRequest, readRequest } from '../../../../src/datastore/etcd/txn.ts';

const header = { cluster_id: '7', revision: '7' };
const found = { response_range: { kvs: [] } };

describe('checkResponse()', () => {
  const read = readRequest([{ key: '/a' }, { prefix: '/b/' }]);
  const commit = commitRequest({
    expect: [{ key: '/a', revision: '5' }],
    write: [
      { type: 'delete', key: '/a' },
      { type: 'put', key: '/b', value: 'x' },
    ],
  });

  it.each([
    ['a read', read, { header, succeeded: true, responses: [found, found] }],
    ['a commit', commit, { header, succeeded: true, responses: [found, found] }],
    ['a lost commit', commit, { header, succeeded: false, responses: [found] }],
  ])('accepts what answers %s', (_what, request, response) => {
    expect(() => checkResponse(request, response)).not.toThrow();
  });

  it.each([
    ['nothing at all', commit, { header: undefined, succeeded: false, responses: [] }],
    ['an answer without a revision', read, { header: undefined, succeeded: true, responses: [found, found] }],
    ['an answer to fewer questions', read, { header, succeeded: true, responses: [found] }],
    ['the wrong branch', commit, { header, succeeded: false, responses: [found, found] }],
  ])('does not take %s for an answer, nor the request for not sent', (_what, request, response) => {
    expect(() => checkResponse(request, response)).toThrow(
      expect.objectContaining({ name: 'CallError', wasSent: true }),
    );
  });
});
