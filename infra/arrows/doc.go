// Package arrows keeps the direction of imports: which package stands on which level, which libraries a package may
// link and who may wire adapters. Its tests read every Go file of the module, whatever its build tags, and fail with the
// reason for the rule that was broken. They also keep a few habits: one comment for each package, no sleeping, and files
// of a readable size.
package arrows
