// The memory that a step or reset writes. A null pointer of length 0 is not written.
typedef struct {
	unsigned char *obs; // [n][obs_len]
	long long obs_len;  // elements, as all lengths
	unsigned char *final; // [n][obs_len], the last observations of the rows whose episode ended now
	long long final_len;
	double *rewards; // [n]
	long long rewards_len;
	unsigned char *terminated; // [n], 0 or 1
	long long terminated_len;
	unsigned char *truncated;
	long long truncated_len;
	unsigned char *fresh; // obs is the first observation of an episode
	long long fresh_len;
} ponder_buffers;

// The thread's last error.
void ponder_set_error(const char *text, long long len);
long long ponder_get_error(char *dst, long long cap);
