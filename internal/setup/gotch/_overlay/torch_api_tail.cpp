
thread_local char *ponder_last_err = nullptr;

static void ponder_keep(const char *what) noexcept {
  while (*what == '\n' || *what == ' ')
    what++;
  const char *end = strchr(what, '\n');
  size_t len = end ? end - what : strlen(what);
  char *message = (char *)malloc(len + 1);
  if (message) {
    memcpy(message, what, len);
    message[len] = 0;
  }
  free(ponder_last_err);
  ponder_last_err = message;
}

void ponder_caught() noexcept {
  try {
    throw;
  } catch (const c10::Error &e) {
    ponder_keep(e.what_without_backtrace());
  } catch (const std::exception &e) {
    ponder_keep(e.what());
  } catch (...) {
    ponder_keep("unknown C++ exception");
  }
}

char *get_and_reset_last_err() {
  char *message = ponder_last_err;
  ponder_last_err = nullptr;
  return message;
}

void ponder_assign(tensor dst, tensor src) {
  if (dst == src)
    return;
  *dst = std::move(*src);
  delete src;
}

int ponder_shape(tensor t, int64_t *dims, int max) {
  PROTECT(auto sizes = ponder_ref(t).sizes();
          for (size_t i = 0; i < sizes.size() && i < (size_t)max; i++) dims[i] = sizes[i];
          return sizes.size();)
  return -1;
}
