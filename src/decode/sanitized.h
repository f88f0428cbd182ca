/* QI_SANITIZED: this is a sanitizer's build, whose run-time needs what the sandbox forbids
 * (terabytes of address space, /proc). Such a helper runs without the system call filter and the
 * memory limit, and such a client accepts that. */
#ifndef QI_DECODE_SANITIZED_H
#define QI_DECODE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QI_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(undefined_behavior_sanitizer)
#define QI_SANITIZED 1
#endif
#endif
#ifndef QI_SANITIZED
#define QI_SANITIZED 0
#endif

#endif
