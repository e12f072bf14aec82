//! Phones hear of it when the network becomes another one (TS 24.501 §5.4.4).

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::config::Network;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use std::sync::Arc;
use std::time::Duration;

fn changed(change: impl FnOnce(&mut Network)) -> Command {
    let mut network = network();
    change(&mut network);
    Command::Configure(Arc::new(network))
}

fn commands(world: &World) -> usize {
    world.phones[0].heard.iter().filter(|name| *name == "ConfigurationUpdateCommand").count()
}

fn last(world: &World) -> &NasConfigurationUpdateCommand {
    world.phones[0].last_configuration.as_ref().expect("a command")
}

fn areas(command: &NasConfigurationUpdateCommand) -> Vec<[u8; 3]> {
    let list = command.tai_list.as_ref().expect("areas");
    list.value.windows(3).filter(|w| w[0] == 0).map(|w| [w[0], w[1], w[2]]).collect()
}

#[test]
fn a_connected_phone_hears_at_once_that_the_network_has_changed() {
    let (mut world, _) = World::registered();
    let before = commands(&world);
    world.command(changed(|network| network.tacs = vec![AREA, 2, 9]));
    assert_eq!(commands(&world), before + 1);
    assert!(areas(last(&world)).contains(&[0, 0, 9]));
    world.command(changed(|network| (network.tacs, network.full_name) = (vec![AREA, 2, 9], "Another".to_owned())));
    assert_eq!(commands(&world), before + 2);
    assert!(last(&world).full_name_for_network.is_some());
    world.command(changed(|network| network.slices = vec![slice(2)]));
    assert_eq!(commands(&world), before + 3);
    let allowed = last(&world).allowed_nssai.as_ref().unwrap().parse_all();
    assert_eq!(allowed.iter().map(|slice| slice.sst).collect::<Vec<_>>(), [2]);
    assert_eq!(world.view(1).unwrap().state, UeState::Connected, "acknowledged");
}

#[test]
fn what_a_phone_does_not_see_is_not_told() {
    let (mut world, _) = World::registered();
    let before = commands(&world);
    world.command(changed(|network| network.capacity = 7));
    world.command(changed(|network| network.timers.t3513 = Duration::from_secs(3)));
    assert_eq!(commands(&world), before);
}

#[test]
fn an_idle_phone_hears_it_at_its_next_contact_and_once() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    let before = commands(&world);
    world.command(changed(|network| network.tacs = vec![AREA, 2, 9]));
    assert_eq!(commands(&world), before);
    let ran = world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(commands(&world), before + 1, "with its new name");
    assert!(last(&world).fg_guti.is_some() && areas(last(&world)).contains(&[0, 0, 9]));
    world.release(ran);
    world.service(0, ServiceType::Signalling, &[]);
    assert!(last(&world).fg_guti.is_some() && last(&world).tai_list.is_none());
}

#[test]
fn a_phone_that_registers_again_hears_it_before_its_connection_ends() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    world.command(changed(|network| network.full_name = "Another".to_owned()));
    let mut request = world.phones[0].registration_request(RegistrationType::PeriodicRegistrationUpdating);
    request.fgs_registration_type = request.fgs_registration_type.with_follow_on_request(false);
    let nas = world.phones[0].register_with(request);
    let before = commands(&world);
    let ran = world.connect(0, &nas);
    assert_eq!(commands(&world), before + 1);
    assert!(last(&world).full_name_for_network.is_some());
    assert!(world.radio(ran).released);
}

#[test]
fn a_phone_that_does_not_acknowledge_is_told_again_later() {
    let (mut world, ran) = World::registered();
    world.phones[0].mute.insert(Nas5gmmMessageType::ConfigurationUpdateCommand);
    let before = commands(&world);
    world.command(changed(|network| network.tacs = vec![AREA, 9]));
    world.pass(Duration::from_secs(60));
    assert_eq!(commands(&world), before + 5);
    world.phones[0].mute.clear();
    world.release(ran);
    world.service(0, ServiceType::Signalling, &[]);
    assert!(last(&world).tai_list.is_some());
}

#[test]
fn after_a_restart_with_another_network_a_phone_is_told() {
    let (mut world, _) = World::registered();
    let mut other = network();
    other.full_name = "Another".to_owned();
    let mut after = World::with(other);
    after.now = world.now;
    after.phones = std::mem::take(&mut world.phones);
    let kept: Vec<UeSnapshot> = world.kept.values().cloned().collect();
    let restored = after.core.restore(kept, after.now, &mut after.rng, &mut Vec::new());
    assert_eq!(restored.phones, 1);
    after.gnb(GNB, 1);
    after.service(0, ServiceType::Signalling, &[]);
    assert!(last(&after).full_name_for_network.is_some());
}

#[test]
fn sessions_of_a_data_network_that_has_gone_end() {
    let (mut world, ran) = World::with_session();
    world.command(changed(|network| network.data_networks.retain(|dn| dn.name != "platform")));
    assert!(world.view(1).unwrap().sessions.is_empty() && world.phones[0].sessions.is_empty());
    world.release(ran);
    let (mut world, ran) = World::with_session();
    world.release(ran);
    world.command(changed(|network| network.data_networks.retain(|dn| dn.name != "platform")));
    assert!(world.view(1).unwrap().sessions.is_empty(), "also of an idle phone");
}

#[test]
fn a_phone_without_a_slice_is_detached() {
    let (mut world, _) = World::registered();
    world.command(changed(|network| network.slices = vec![slice(9)]));
    assert!(world.view(1).is_none());
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"));
}

#[test]
fn the_vault_is_asked_for_the_method_that_the_network_prefers() {
    use pakawaaz_control_plane::config::AuthenticationMethod;
    for method in [AuthenticationMethod::FiveGAka, AuthenticationMethod::EapAkaPrime] {
        let mut network = network();
        network.method = method;
        let mut world = World::with(network);
        world.gnb(GNB, 1);
        let phone = world.phone(1);
        world.register(phone);
        assert_eq!(world.asked[0].method, method);
        // A card may be set otherwise: this vault always answers with 5G AKA.
        assert!(world.view(1).is_some());
    }
}
