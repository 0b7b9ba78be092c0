// Text: upper case in place, a Caesar cipher into another string, and counting words, which depends on what was before.
// expect: upper launches
// expect: cipher any
// truth: cipher parallel
// expect: words stays
#include <cstdio>
#include <string>

__attribute__((noinline)) void upper(char *s, std::size_t n) {
    for (std::size_t i = 0; i < n; i++)
        if (s[i] >= 'a' && s[i] <= 'z')
            s[i] = static_cast<char>(s[i] - 'a' + 'A');
}

__attribute__((noinline)) void cipher(const std::string &in, std::string &out, int by) {
    for (std::size_t i = 0; i < in.size(); i++) {
        char c = in[i];
        out[i] = c >= 'A' && c <= 'Z' ? static_cast<char>('A' + (c - 'A' + by) % 26) : c;
    }
}

__attribute__((noinline)) int words(const std::string &s) {
    int n = 0;
    bool in = false;
    for (char c : s) {
        bool letter = c != ' ';
        n += letter && !in;
        in = letter;
    }
    return n;
}

int main() {
    std::string text;
    for (int i = 0; i < 300; i++)
        text += i % 3 ? "the loops of " : "real  modules ";
    std::string out(text.size(), '?');
    int n = words(text);
    upper(text.data(), text.size());
    cipher(text, out, 3);
    unsigned h = 0;
    for (char c : out)
        h = h * 31 + static_cast<unsigned char>(c);
    std::printf("%d %08x %.20s\n", n, h, out.c_str());
}
