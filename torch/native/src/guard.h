// What the C++ files of this folder share.
#ifndef PONDER_GUARD_H
#define PONDER_GUARD_H

// ponder_remember keeps the first line of what went wrong on this thread, for ponder_error.
void ponder_remember(const char *what);

#endif
