# Ranks that are processes of an MPI job, where an MPI is there. One file alone is compiled with its
# headers.
set(MPI_CXX_SKIP_MPICXX ON)  # the interface of C, which is all there is in newer MPIs
find_package(MPI QUIET COMPONENTS CXX)
if(NOT MPI_CXX_FOUND)
  message(STATUS "MPI (libopenmpi-dev) is absent: building without training on many ranks")
  target_sources(ebt PRIVATE ${PROJECT_SOURCE_DIR}/src/ebt/dist/mpi_group_absent.cpp)
  return()
endif()

add_library(ebt_mpi OBJECT ${PROJECT_SOURCE_DIR}/src/ebt/dist/mpi_group.cpp)
target_include_directories(ebt_mpi PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(ebt_mpi PRIVATE MPI::MPI_CXX fmt::fmt ebt_options)
set_target_properties(ebt_mpi PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_sources(ebt PRIVATE $<TARGET_OBJECTS:ebt_mpi>)
target_link_libraries(ebt PRIVATE $<LINK_ONLY:MPI::MPI_CXX>)
