// Package output decides what ponder may write where, for every command: nothing of somebody else's is
// replaced, and a kill, a power cut or a full disk at any moment leaves the old content or the new one,
// never a mixture.
//
// A file ([WriteFile], [WriteNamed]) is written under a temporary name in the same folder, synced and
// renamed. Links are followed: the link stays, the file that it names is replaced. What is no regular
// file, such as a FIFO or /dev/null, is opened and written. A file that is written as things come
// ([Create]) grows in place where it is new, else beside the old one, which it replaces when it is whole.
//
// A folder is made whole beside its place and renamed ([Kind.Make]), and it is made only where there is
// nothing, an empty folder, or, where that is asked for, a folder that its content shows to be of the same
// [Kind]. Anything else is refused with an error, untouched.
//
// [Stdout] keeps the error of what is printed.
package output
