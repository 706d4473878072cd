// A pgbouncer of our own in transaction mode, in front of a database, with so many server
// connections at most that all clients take turns on.
#pragma once

#include <pqxx/pqxx>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

class Pooler {
  public:
    Pooler(const std::string &database, int pool_size)
    {
        char name[] = "/tmp/companion_pooler.XXXXXX";
        if (mkdtemp(name) == nullptr)
            throw std::runtime_error("no temporary folder");
        folder_ = name;
        chmod(name, 0777); // pgbouncer does not run as root
        write_settings(database, pool_size);
        start();
    }
    ~Pooler()
    {
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
        std::filesystem::remove_all(folder_);
    }

    std::string address() const { return "host=" + folder_ + " port=6432 dbname=pooled"; }

  private:
    static std::string environment(const char *name)
    {
        const char *value = std::getenv(name);
        return value == nullptr ? "" : value;
    }

    void write_settings(const std::string &database, int pool_size) const
    {
        std::ofstream(folder_ + "/settings.ini")
            << "[databases]\npooled = host=" << environment("PGHOST")
            << " port=" << environment("PGPORT") << " " << database
            << " user=" << environment("PGUSER")
            << "\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = " << pool_size
            << "\nauth_type = any\nlisten_port = 6432\nunix_socket_dir = " << folder_ << "\n";
    }

    // Its socket is there before it listens.
    bool accepts() const
    {
        try {
            pqxx::connection connection(address());
            return true;
        } catch (const pqxx::broken_connection &) {
            return false;
        }
    }

    void start()
    {
        const std::string settings = folder_ + "/settings.ini";
        process_ = fork();
        if (process_ == 0) {
            if (geteuid() == 0)
                execlp("pgbouncer", "pgbouncer", "-q", "-u", "postgres", settings.c_str(), nullptr);
            execlp("pgbouncer", "pgbouncer", "-q", settings.c_str(), nullptr);
            _exit(127);
        }
        for (int tries = 0; !accepts(); tries++) {
            if (tries == 200 || waitpid(process_, nullptr, WNOHANG) == process_)
                throw std::runtime_error("pgbouncer does not start");
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }

    std::string folder_;
    pid_t process_;
};
