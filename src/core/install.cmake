# SPDX-License-Identifier: MIT
# What other projects find: the library, its headers, a CMake package (of the installed tree and of
# the build tree) and a pkg-config file. Included by src/core/CMakeLists.txt.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_install_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ProcessKit)
set(package_build_dir ${PROJECT_BINARY_DIR}/lib/cmake/ProcessKit)

install(TARGETS ProcessKit EXPORT ProcessKitTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ProcessKit
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
)

configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/ProcessKitConfig.cmake.in
    ${package_build_dir}/ProcessKitConfig.cmake
    INSTALL_DESTINATION ${package_install_dir}
)
write_basic_package_version_file(${package_build_dir}/ProcessKitConfigVersion.cmake
    COMPATIBILITY SameMajorVersion
)
install(FILES
    ${package_build_dir}/ProcessKitConfig.cmake
    ${package_build_dir}/ProcessKitConfigVersion.cmake
    DESTINATION ${package_install_dir}
)
install(EXPORT ProcessKitTargets NAMESPACE ProcessKit:: DESTINATION ${package_install_dir})
export(EXPORT ProcessKitTargets NAMESPACE ProcessKit::
    FILE ${package_build_dir}/ProcessKitTargets.cmake
)

# relative to the file itself, so that the installed tree can be moved
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
    set(pc_prefix ${CMAKE_INSTALL_PREFIX})
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/processkit.pc.in
    ${PROJECT_BINARY_DIR}/lib/pkgconfig/processkit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lib/pkgconfig/processkit.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
)
