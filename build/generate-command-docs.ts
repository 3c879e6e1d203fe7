/** `make docs`: writes docs/commands.md, the manual of all commands, from the commands themselves. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandDocs } from './command-docs.ts';

writeFileSync(join(import.meta.dirname, '../docs/commands.md'), commandDocs());
