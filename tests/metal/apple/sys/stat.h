#pragma once
typedef unsigned short mode_t;
struct stat {
    mode_t st_mode;
    unsigned st_uid;
};
enum { S_IWGRP = 020, S_IWOTH = 02 };
int mkdir(const char *path, mode_t mode);
int stat(const char *path, struct stat *out);
