import { BursarError } from '../../core/errors.ts'

/** `postgres://user:password@host1:5432,host2:5433/database?sslmode=…`, with one host or more. */
const URL_PARTS = /^(postgres(?:ql)?):\/\/(?:([^/?#]*)@)?([^/?#@]+)(\/[^?#]*)?(\?[^#]*)?$/

/**
 * One URL per host, in the order given.
 *
 * @throws `config_invalid` when it is no URL of PostgreSQL. The message does not repeat it: there may be a password in it.
 */
export function hostUrls(url: string): readonly string[] {
  const [, scheme, who, hosts, path = '', query = ''] = URL_PARTS.exec(url) ?? []
  if (scheme === undefined || hosts === undefined)
    throw new BursarError('config_invalid', 'A database is postgres://user:password@host:port/name, or a file.')
  const urls = hosts.split(',').map((host) => `${scheme}://${who === undefined ? '' : `${who}@`}${host}${path}${query}`)
  if (urls.every((one) => URL.canParse(one))) return urls
  throw new BursarError('config_invalid', 'A host of the database is a name, or an address, and a port.')
}
