// The project's own lint rules, as .oxlintrc.json loads them.
import { clock } from './clock.ts';
import { imports } from './imports.ts';

export default { meta: { name: 'bridge' }, rules: { imports, clock } };
