// SPDX-License-Identifier: MIT
#include "resident.h"
#include "measure.h"

#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

std::size_t residentSize()
{
    std::size_t total = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * std::size_t(sysconf(_SC_PAGESIZE));
}

ResidentMemory::ResidentMemory(std::size_t total)
{
    const std::size_t now = residentSize();
    if (now >= total)
        return;
    m_size = total - now;
    m_memory = mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m_memory == MAP_FAILED) {
        m_memory = nullptr;
        throw Unavailable(QStringLiteral("not enough memory"));
    }
    madvise(m_memory, m_size, MADV_NOHUGEPAGE);
    const std::size_t page = std::size_t(sysconf(_SC_PAGESIZE));
    volatile char *bytes = static_cast<char *>(m_memory);
    for (std::size_t i = 0; i < m_size; i += page)
        bytes[i] = 1;
}

ResidentMemory::~ResidentMemory()
{
    if (m_memory)
        munmap(m_memory, m_size);
}
