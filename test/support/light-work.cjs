// Loaded before bursar where tests start it hundreds of times: to seal and to open a key takes a hundredth of the work. All
// else is as it is, what is written included; what was sealed like this opens only like this.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const { scrypt } = crypto
crypto.scrypt = (passphrase, salt, length, options, done) =>
  scrypt(passphrase, salt, length, { ...options, N: 2 ** 10 }, done)
syncBuiltinESMExports()
