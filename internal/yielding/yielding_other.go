//go:build (!windows && !unix) || solaris || illumos || aix

package yielding

// Begin changes nothing here.
func Begin() error { return nil }
