// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_RESIDENT_H
#define PROCESSKIT_BENCH_RESIDENT_H

#include <cstddef>

// The resident size of this process, now.
std::size_t residentSize();

// Makes this process as large as a big application: touches private memory, in small pages as a
// heap of small objects has them, until the resident size is \a total. Throws Failure.
class ResidentMemory
{
public:
    explicit ResidentMemory(std::size_t total);
    ~ResidentMemory();
    ResidentMemory(const ResidentMemory &) = delete;
    ResidentMemory &operator=(const ResidentMemory &) = delete;

private:
    std::size_t m_size = 0;
    void *m_memory = nullptr;
};

#endif // PROCESSKIT_BENCH_RESIDENT_H
