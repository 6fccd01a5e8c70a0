// Package durable writes files so that a kill, a power cut or a full disk at any moment leaves
// either the old content or the new one, never a mixture: everything goes to a temporary name in
// the same folder, is synced, then renamed.
package durable
