#include "ponder.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Not __thread: Go's own thread-local storage is of the kind that dlopen has hardly room for, and a
// library has only one kind.
typedef struct {
	long long length;
	char text[];
} message;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void) { pthread_key_create(&key, free); }

void ponder_set_error(const char *s, long long length) {
	pthread_once(&once, make_key);
	free(pthread_getspecific(key));
	message *m = malloc(sizeof *m + length);
	if (m != NULL) {
		m->length = length;
		memcpy(m->text, s, length);
	}
	pthread_setspecific(key, m);
}

long long ponder_get_error(char *dst, long long cap) {
	pthread_once(&once, make_key);
	message *m = pthread_getspecific(key);
	if (m == NULL)
		return 0;
	if (cap >= m->length)
		memcpy(dst, m->text, m->length);
	return m->length;
}
