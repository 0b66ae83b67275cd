// The lint rule that keeps imports pointing down. It finds what a file of src/ imports, in every form that TypeScript
// has, and asks layers.ts whether that is allowed.
import { dirname, resolve } from 'node:path';
import { refuseFile, refusePackage } from './layers.ts';
import type { Node, Rule } from './rule.ts';
import { pathInSource } from './source-path.ts';

export const imports: Rule = {
  meta: { type: 'problem', docs: { description: 'Imports point down, as docs/architecture.md draws them.' } },
  create(context) {
    const file = context.physicalFilename;
    const from = pathInSource(file, context.cwd);
    if (from === undefined) return {};

    const check = (node: Node, specifier: string, typesOnly: boolean): void => {
      let refusal: string | undefined;
      if (specifier.startsWith('.')) {
        const target = resolve(dirname(file), specifier);
        refusal = refuseFile(from, pathInSource(target, context.cwd) ?? specifier, typesOnly);
      } else {
        refusal = refusePackage(from, specifier);
      }
      if (refusal !== undefined) context.report({ node, message: `Import against the layers: ${refusal}.` });
    };

    return {
      ImportDeclaration: (node) => check(node, node.source.value, node.importKind === 'type'),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === 'type'),
      ExportNamedDeclaration(node) {
        if (node.source !== null) check(node, node.source.value, node.exportKind === 'type');
      },
      TSImportType: (node) => check(node, node.source.value, true),
      ImportExpression(node) {
        // A computed path cannot be judged, so src/ does without.
        if (node.source.type === 'Literal' && typeof node.source.value === 'string') {
          check(node, node.source.value, false);
        } else {
          context.report({ node, message: 'Import against the layers: name the module in plain text.' });
        }
      },
    };
  },
};
