// SPDX-License-Identifier: MIT

// Memory and bytes for a keeper without the C library (see system.cpp).

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

namespace {

// Small blocks are of a few sizes and go back to a list of their size; large ones, which are lists
// of a busy moment and launches, go back to the system, so that a keeper that idles is small again.
struct alignas(16) Block
{
    std::size_t size; // with this header
    Block *next; // in the list of free ones
};

constexpr std::size_t smallestBlock = 32;
constexpr std::size_t largestSmallBlock = 2048;
constexpr std::size_t arenaSize = 64 * 1024; // of address space: pages come when they are used
constexpr int listCount = 7; // 32, 64, ... 2048

Block *freeBlocks[listCount];
char *arena;
std::size_t arenaLeft;

void *map(std::size_t size)
{
    void *memory =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

Block *makeSmallBlock(std::size_t size)
{
    if (arenaLeft < size) {
        arena = static_cast<char *>(map(arenaSize));
        arenaLeft = arena ? arenaSize : 0;
        if (!arena)
            return nullptr;
    }
    auto *block = reinterpret_cast<Block *>(arena);
    arena += size;
    arenaLeft -= size;
    return block;
}

int listOf(std::size_t size, std::size_t *blockSize)
{
    int list = 0;
    *blockSize = smallestBlock;
    while (*blockSize < size) {
        *blockSize *= 2;
        ++list;
    }
    return list;
}

} // namespace

extern "C" {

void *malloc(std::size_t size) noexcept
{
    if (size > PTRDIFF_MAX - sizeof(Block))
        return nullptr;
    size += sizeof(Block);
    Block *block;
    if (size > largestSmallBlock) {
        block = static_cast<Block *>(map(size));
        if (block)
            block->size = size;
    } else {
        std::size_t blockSize;
        Block *&list = freeBlocks[listOf(size, &blockSize)];
        block = list;
        if (block)
            list = block->next;
        else
            block = makeSmallBlock(blockSize);
        if (block)
            block->size = blockSize;
    }
    return block ? block + 1 : nullptr;
}

void free(void *memory) noexcept
{
    if (!memory)
        return;
    Block *block = static_cast<Block *>(memory) - 1;
    if (block->size > largestSmallBlock) {
        ::munmap(block, block->size);
        return;
    }
    std::size_t blockSize;
    Block *&list = freeBlocks[listOf(block->size, &blockSize)];
    block->next = list;
    list = block;
}

void *memcpy(void *to, const void *from, std::size_t size) noexcept
{
    return memmove(to, from, size);
}

void *memmove(void *to, const void *from, std::size_t size) noexcept
{
    auto *target = static_cast<char *>(to);
    const auto *source = static_cast<const char *>(from);
    if (target < source) {
        for (std::size_t i = 0; i < size; ++i)
            target[i] = source[i];
    } else {
        while (size-- > 0)
            target[size] = source[size];
    }
    return to;
}

void *memset(void *to, int value, std::size_t size) noexcept
{
    auto *target = static_cast<char *>(to);
    for (std::size_t i = 0; i < size; ++i)
        target[i] = char(value);
    return to;
}

int memcmp(const void *a, const void *b, std::size_t size) noexcept
{
    const auto *left = static_cast<const unsigned char *>(a);
    const auto *right = static_cast<const unsigned char *>(b);
    for (std::size_t i = 0; i < size; ++i) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

// what Clang makes of a memcmp(3) whose order nobody wants
int bcmp(const void *a, const void *b, std::size_t size) noexcept
{
    return memcmp(a, b, size);
}

std::size_t strlen(const char *text) noexcept
{
    std::size_t length = 0;
    while (text[length])
        ++length;
    return length;
}

int strcmp(const char *a, const char *b) noexcept
{
    while (*a && *a == *b) {
        ++a;
        ++b;
    }
    return int(static_cast<unsigned char>(*a)) - int(static_cast<unsigned char>(*b));
}

} // extern "C"

// <cstring> has two of it, which share one symbol
const void *processkitFindByte(const void *memory, int value, std::size_t size) noexcept
        asm("memchr");

const void *processkitFindByte(const void *memory, int value, std::size_t size) noexcept
{
    const auto *bytes = static_cast<const unsigned char *>(memory);
    for (std::size_t i = 0; i < size; ++i) {
        if (bytes[i] == static_cast<unsigned char>(value))
            return bytes + i;
    }
    return nullptr;
}
