package com.example.shoppingcart;

import com.example.shoppingcart.persistence.Domain;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.cloudstate.springboot.starter.autoconfigure.EnableCloudstate;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

@EnableCloudstate
@SpringBootApplication
public class Main {
  public static void main(String[] args) {
    // A property, for the library empties this process's environment.
    String snapshotEvery = System.getenv("SNAPSHOT_EVERY");
    if (snapshotEvery != null) System.setProperty("cloudstate.eventsourced.snapshot-every", snapshotEvery);
    SpringApplication.run(Main.class, args);
  }

  // The library finds both by name: the entity's class, and what it is.
  @Bean
  public ServiceDescriptor cartEntityServiceDescriptor() {
    return Shoppingcart.getDescriptor().findServiceByName("ShoppingCart");
  }

  @Bean
  public FileDescriptor[] cartEntityFileDescriptors() {
    return new FileDescriptor[] {Domain.getDescriptor()};
  }
}
