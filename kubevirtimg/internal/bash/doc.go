// Package bash reads a bash script without running it: assignments, conditions and the words of commands are evaluated as far
// as they follow from the text alone, and everything else (command substitution, arithmetic, the environment, other files)
// stays unknown.
//
// The package starts no process, opens no file and reads no environment. A condition that cannot be decided is taken both ways:
// each branch is read from the state before it, and a variable that the branches leave with different values is unknown
// afterwards. What a script says is therefore either exactly what bash would make of it or reported as unknown.
//
// The grammar is the part of bash that CI scripts are made of: simple commands, pipelines, and-or lists, if, case, for, while,
// until, groups, subshells, functions, [[ ]], [ ], here-documents and redirections.
package bash
