// Package session is the acting loop that a person can steer. A [Loop] is an episode in progress: an
// [Agent] thinks about a [World] a segment at a time and acts. [Record] runs one to its end; a
// [Session] runs one in a goroutine of its own, obeys commands (play, one segment, think longer,
// answer now, edit, take over, …) and publishes all of it as a trace, which the window reads without
// ever waiting. The window, recordings, the page in the browser and the terminal play through it.
package session
