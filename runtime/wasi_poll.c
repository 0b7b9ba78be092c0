/* WASI: waiting for clocks and descriptors.
 *
 * All clock subscriptions become one timeout, the earliest; descriptors become one poll(2).  Regular files and
 * descriptors without a host file are always ready.  Every subscription that is due gives an event; one that makes no
 * sense gives an event with its error.
 */
#define _GNU_SOURCE /* ppoll */
#include "runtime/wasi.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { TAG_CLOCK, TAG_FD_READ, TAG_FD_WRITE };
enum { SUBSCRIPTION_BYTES = 48, EVENT_BYTES = 32, MAX_SUBSCRIPTIONS = 4096, CLOCK_ABSTIME = 1, EVENT_HANGUP = 1 };

struct waiter {
    uint64_t userdata;
    uint8_t tag;
    uint32_t error;
    bool ready;
    uint64_t deadline; /* clocks: CLOCK_MONOTONIC nanoseconds */
    int fd;            /* host descriptor to poll, -1: none */
    uint64_t nbytes;
    bool hangup;
};

static uint64_t now_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Deadlines on the wall clock are turned into monotonic ones once, at the start. */
static void read_clock(struct waiter *r, const uint8_t *s) {
    uint32_t id = wasi_load_u32(s + 16);
    uint64_t timeout = wasi_load_u64(s + 24);
    uint16_t flags;
    memcpy(&flags, s + 40, 2);
    if (id > 1 || (flags & ~CLOCK_ABSTIME)) {
        r->error = id > 3 || (flags & ~CLOCK_ABSTIME) ? WASI_EINVAL : WASI_ENOTSUP;
        return;
    }
    uint64_t now = now_of(CLOCK_MONOTONIC);
    if (flags & CLOCK_ABSTIME) {
        uint64_t base = id == 0 ? now_of(CLOCK_REALTIME) : now;
        timeout = timeout > base ? timeout - base : 0;
    }
    r->deadline = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
}

static void read_fd(struct wasi *w, struct waiter *r, const uint8_t *s) {
    uint64_t need = WASI_RIGHT_POLL | (r->tag == TAG_FD_READ ? WASI_RIGHT_FD_READ : WASI_RIGHT_FD_WRITE);
    struct wasi_fd *f = wasi_fd_get(w, wasi_load_u32(s + 16), need, &r->error);
    if (!f) {
        return;
    }
    struct stat st;
    if (f->host < 0) {
        r->ready = true;
    } else if (f->type == WASI_TYPE_REGULAR) {
        r->ready = true;
        off_t at = lseek(f->host, 0, SEEK_CUR);
        if (r->tag == TAG_FD_READ && at >= 0 && fstat(f->host, &st) == 0 && st.st_size > at) {
            r->nbytes = (uint64_t)(st.st_size - at);
        }
    } else {
        r->fd = f->host;
    }
}

/* Waits until something is due. */
static uint32_t wait_for(struct waiter *rs, struct pollfd *fds, uint32_t n) {
    bool due = false;
    uint64_t earliest = UINT64_MAX;
    bool clocks = false, files = false;
    for (uint32_t i = 0; i < n; i++) {
        due |= rs[i].ready || rs[i].error;
        if (rs[i].tag == TAG_CLOCK && !rs[i].error) {
            clocks = true;
            earliest = rs[i].deadline < earliest ? rs[i].deadline : earliest;
        }
        files |= rs[i].fd >= 0;
        fds[i] = (struct pollfd){.fd = rs[i].fd, .events = rs[i].tag == TAG_FD_READ ? POLLIN : POLLOUT};
    }
    if (!due && !clocks && !files) {
        return WASI_OK;
    }
    for (;;) {
        uint64_t now = now_of(CLOCK_MONOTONIC), left = due || now >= earliest ? 0 : earliest - now;
        /* Rounded up to milliseconds: poll must not come back before its time.  Long waits are cut into parts. */
        uint64_t ms = left / 1000000u + (left % 1000000u != 0);
        int timeout = due ? 0 : !clocks ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
        int ready;
#if defined(__linux__)
        struct timespec exact = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
        ready = timeout > 0 && ms < INT_MAX ? ppoll(fds, n, &exact, NULL) : poll(fds, n, timeout);
#else
        ready = poll(fds, n, timeout);
#endif
        if (ready < 0 && errno != EINTR) {
            return wasi_errno(errno);
        }
        if (ready > 0 || due || (clocks && now_of(CLOCK_MONOTONIC) >= earliest)) {
            break;
        }
    }
    uint64_t now = now_of(CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < n; i++) {
        struct waiter *r = &rs[i];
        if (r->tag == TAG_CLOCK && !r->error) {
            r->ready = now >= r->deadline;
        } else if (r->fd >= 0 && fds[i].revents) {
            int available = 0;
            r->ready = true;
            r->hangup = (fds[i].revents & POLLHUP) != 0;
            r->error = fds[i].revents & POLLNVAL ? WASI_EBADF : fds[i].revents & POLLERR ? WASI_EIO : WASI_OK;
            if (r->tag == TAG_FD_READ && ioctl(r->fd, FIONREAD, &available) == 0 && available > 0) {
                r->nbytes = (uint64_t)available;
            }
        }
    }
    return WASI_OK;
}

uint32_t wasi_poll_oneoff(struct wasi *w, const uint64_t *a) {
    uint32_t n = (uint32_t)a[2], events = 0;
    if (n == 0 || n > MAX_SUBSCRIPTIONS) {
        return WASI_EINVAL;
    }
    const uint8_t *in = wasi_at(w, a[0], (uint64_t)n * SUBSCRIPTION_BYTES);
    uint8_t *out = wasi_at(w, a[1], (uint64_t)n * EVENT_BYTES);
    if (!in || !out || !wasi_at(w, a[3], 4)) {
        return WASI_EFAULT;
    }
    struct waiter *rs = rt_alloc(w->in, n, sizeof *rs);
    struct pollfd *fds = rt_alloc(w->in, n, sizeof *fds);
    uint32_t error = rs && fds ? WASI_OK : WASI_ENOMEM;
    for (uint32_t i = 0; i < n && !error; i++) {
        const uint8_t *s = in + (size_t)i * SUBSCRIPTION_BYTES;
        rs[i] = (struct waiter){.userdata = wasi_load_u64(s), .tag = s[8], .fd = -1};
        if (rs[i].tag == TAG_CLOCK) {
            read_clock(&rs[i], s);
        } else if (rs[i].tag == TAG_FD_READ || rs[i].tag == TAG_FD_WRITE) {
            read_fd(w, &rs[i], s);
        } else {
            error = WASI_EINVAL;
        }
    }
    if (!error) {
        error = wait_for(rs, fds, n);
    }
    for (uint32_t i = 0; i < n && !error; i++) {
        if (rs[i].ready || rs[i].error) {
            uint8_t *e = out + (size_t)events++ * EVENT_BYTES;
            memset(e, 0, EVENT_BYTES);
            wasi_store_u64(e, rs[i].userdata);
            wasi_store_u16(e + 8, (uint16_t)rs[i].error);
            e[10] = rs[i].tag;
            wasi_store_u64(e + 16, rs[i].nbytes);
            wasi_store_u16(e + 24, rs[i].hangup ? EVENT_HANGUP : 0);
        }
    }
    rt_free(w->in, rs);
    rt_free(w->in, fds);
    return error ? error : wasi_put_u32(w, a[3], events);
}
